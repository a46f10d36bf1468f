# SPDX-License-Identifier: Apache-2.0
crla_unit_test(win32_casettings DEPS crla_win32)
crla_unit_test(win32_pipe DEPS crla_win32)
crla_unit_test(win32_process DEPS crla_win32)
crla_unit_test(win32_service DEPS crla_win32)
