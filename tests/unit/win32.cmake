# SPDX-License-Identifier: Apache-2.0
crla_unit_test(win32_casettings DEPS crla_win32)
crla_unit_test(win32_caadmin DEPS crla_win32 ole32 oleaut32 uuid)
crla_unit_test(win32_eventlog DEPS crla_win32 SOURCES $<TARGET_OBJECTS:crla_win32_messages>)
crla_unit_test(win32_keyprobe DEPS crla_win32 dep_openssl crypt32)
crla_unit_test(win32_places DEPS crla_win32)
crla_unit_test(win32_pipe DEPS crla_win32)
crla_unit_test(win32_process DEPS crla_win32)
crla_unit_test(win32_service DEPS crla_win32)
