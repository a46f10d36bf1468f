/* SPDX-License-Identifier: Apache-2.0
 * Copyright the crlagent authors */
#include "driver/net.h"
#include "driver/serial_int.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static int speed_code(uint32_t speed, speed_t *ret)
{
    static const struct {
        uint32_t speed;
        speed_t code;
    } known[] = {{9600, B9600},   {19200, B19200},   {38400, B38400},
                 {57600, B57600}, {115200, B115200}, {230400, B230400}};
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (known[i].speed == speed) {
            *ret = known[i].code;
            return 1;
        }
    }
    return 0;
}

void serial_close(void *self)
{
    struct serial *s = self;
    if (s->port != SERIAL_CLOSED) {
        ioctl((int)s->port, TIOCNXCL);
        close((int)s->port);
    }
    s->port = SERIAL_CLOSED;
}

int serial_open(void *self, struct err *err)
{
    struct serial *s = self;
    struct termios t;
    speed_t speed = B115200;
    serial_close(s);
    if (!speed_code(s->c.speed, &speed))
        return err_set(err, ERR_INVALID, "'%s': a speed of %u baud is not known", s->c.device,
                       s->c.speed);
    int fd = open(s->c.device, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    s->port = fd; /* -1 = SERIAL_CLOSED */
    if (fd < 0)
        return err_set_errno(err, errno, "opening the serial line '%s'", s->c.device);
    if (tcgetattr(fd, &t)) {
        int rc = err_set_errno(err, errno, "'%s' is no serial line", s->c.device);
        serial_close(s);
        return rc;
    }
    /* Two programs on one line take each other's answers away. Windows opens a port for one only;
     * TIOCEXCL stops other programs that are not root, the lock another hsmupgrade. */
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        int rc = err_set(err, ERR_BUSY, "'%s' is used by another hsmupgrade", s->c.device);
        serial_close(s);
        return rc;
    }
    ioctl(fd, TIOCEXCL);
    cfmakeraw(&t);
    t.c_cflag |= CLOCAL | CREAD;
    t.c_cflag &= ~(tcflag_t)(CSTOPB | CRTSCTS | PARENB);
    cfsetispeed(&t, speed);
    cfsetospeed(&t, speed);
    tcsetattr(fd, TCSANOW, &t);
    tcflush(fd, TCIFLUSH);
    return ERR_OK;
}

int serial_write(void *self, const void *bytes, size_t len, struct err *err)
{
    struct serial *s = self;
    const char *p = bytes;
    while (len) {
        ssize_t n = write((int)s->port, p, len);
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return err_set_errno(err, errno, "writing to '%s'", s->c.device);
        } else if (net_wait(s->port, false, true, 10000) <= 0) {
            return err_set(err, ERR_UNAVAILABLE, "'%s' takes no bytes", s->c.device);
        }
    }
    return ERR_OK;
}

int serial_read(void *self, void *bytes, size_t cap, int64_t timeout_ms, size_t *ret_n,
                struct err *err)
{
    struct serial *s = self;
    int n = net_wait(s->port, true, false, timeout_ms);
    if (n == 0)
        return err_set(err, ERR_TIMEOUT, "nothing came from '%s'", s->c.device);
    ssize_t got = n < 0 ? -1 : read((int)s->port, bytes, cap);
    if (got < 0 && errno == EAGAIN)
        return err_set(err, ERR_TIMEOUT, "nothing came from '%s'", s->c.device);
    if (got <= 0)
        return err_set(err, ERR_UNAVAILABLE, "the serial line '%s' is gone", s->c.device);
    *ret_n = (size_t)got;
    return ERR_OK;
}
