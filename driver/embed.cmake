# SPDX-License-Identifier: Apache-2.0
# crla_embed(SYMBOL FILE OUT): a C file with the bytes of FILE as embedded_SYMBOL and embedded_SYMBOL_len.
function(crla_embed symbol file out)
  file(READ "${file}" hex HEX)
  string(LENGTH "${hex}" digits)
  math(EXPR bytes "${digits} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," body "${hex}")
  file(CONFIGURE OUTPUT "${out}" CONTENT "/* made from a data file by driver/embed.cmake */
#include \"driver/embedded.h\"
const char embedded_${symbol}[] = {${body}0};
const size_t embedded_${symbol}_len = ${bytes};
")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
endfunction()
