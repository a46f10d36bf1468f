# SPDX-License-Identifier: Apache-2.0
# Flags every target of ours gets (target crla_flags), and the helpers that make modules and unit tests.

add_library(crla_flags INTERFACE)
target_compile_options(crla_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wvla
  # Texts in fixed fields are cut on purpose; the warning depends on the optimizer and would differ between builds.
  $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation>
  -fstack-protector-strong "-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.")
if(CRLAGENT_WERROR)
  target_compile_options(crla_flags INTERFACE -Werror)
endif()
target_compile_definitions(crla_flags INTERFACE CRLAGENT_VERSION="${PROJECT_VERSION}")
if(WIN32)
  # Windows Server 2016 and later; C99 printf (%zu, %lld) instead of msvcrt's.
  target_compile_definitions(crla_flags INTERFACE
    UNICODE _UNICODE _WIN32_WINNT=0x0A00 WINVER=0x0A00 NTDDI_VERSION=0x0A000000 __USE_MINGW_ANSI_STDIO=1
    COBJMACROS WIN32_LEAN_AND_MEAN CURL_STATICLIB LIBXML_STATIC)
  target_link_options(crla_flags INTERFACE
    -static -fstack-protector-strong -Wl,--dynamicbase -Wl,--nxcompat -Wl,--high-entropy-va -Wl,--no-insert-timestamp)
else()
  target_compile_definitions(crla_flags INTERFACE _GNU_SOURCE)
endif()
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_options(crla_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
if(CRLAGENT_SANITIZE)
  target_compile_options(crla_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_link_options(crla_flags INTERFACE -fsanitize=address,undefined)
endif()

# crla_module(NAME SOURCES a.c b.c [DEPS crla_x lib ...]): one static library per module. Headers are
# included as "module/header.h" from common/, or "win32/header.h" from the top.
function(crla_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC "${CMAKE_SOURCE_DIR}/common")
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} PRIVATE crla_flags ${ARG_PRIVATE_DEPS})
endfunction()
