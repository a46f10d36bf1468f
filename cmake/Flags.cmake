# SPDX-License-Identifier: Apache-2.0
# Flags every target of ours gets (target crla_flags), and the helpers that make modules and unit tests.

# clang-cl (on Windows) has the words of Microsoft's compiler and knows neither gcc's options nor those of its linker.
if(CMAKE_C_COMPILER_FRONTEND_VARIANT STREQUAL "MSVC")
  set(CRLAGENT_CL ON)
else()
  set(CRLAGENT_CL OFF)
endif()

add_library(crla_flags INTERFACE)
set(crla_warnings -Wextra -Wconversion -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wvla)
if(CRLAGENT_CL)
  # -Wall would be -Weverything. Stack cookies, control-flow guard; no POSIX names are "deprecated" here.
  target_compile_options(crla_flags INTERFACE /W4 ${crla_warnings} -Wno-format-nonliteral -Wno-sign-conversion
    /utf-8 /GS /guard:cf "/clang:-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.")
  target_compile_definitions(crla_flags INTERFACE _CRT_SECURE_NO_WARNINGS _CRT_NONSTDC_NO_WARNINGS)
  target_link_options(crla_flags INTERFACE /guard:cf /DYNAMICBASE /NXCOMPAT /HIGHENTROPYVA /INCREMENTAL:NO /Brepro)
else()
  # Texts in fixed fields are cut on purpose; the warning depends on the optimizer and would differ between builds.
  target_compile_options(crla_flags INTERFACE -Wall ${crla_warnings}
    $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation>
    -fstack-protector-strong "-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.")
endif()
if(CRLAGENT_WERROR)
  target_compile_options(crla_flags INTERFACE $<IF:$<BOOL:${CRLAGENT_CL}>,/WX,-Werror>)
endif()
target_compile_definitions(crla_flags INTERFACE CRLAGENT_VERSION="${PROJECT_VERSION}")
if(WIN32)
  # Windows Server 2016 and later; C99 printf (%zu, %lld) instead of msvcrt's.
  target_compile_definitions(crla_flags INTERFACE
    UNICODE _UNICODE _WIN32_WINNT=0x0A00 WINVER=0x0A00 NTDDI_VERSION=0x0A000000 __USE_MINGW_ANSI_STDIO=1
    COBJMACROS WIN32_LEAN_AND_MEAN CURL_STATICLIB LIBXML_STATIC)
  if(NOT CRLAGENT_CL)
    target_link_options(crla_flags INTERFACE
      -static -fstack-protector-strong -Wl,--dynamicbase -Wl,--nxcompat -Wl,--high-entropy-va -Wl,--no-insert-timestamp)
  endif()
else()
  target_compile_definitions(crla_flags INTERFACE _GNU_SOURCE)
endif()
if(NOT CRLAGENT_CL AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
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

# crla_wide_main(TARGET): its entry is wmain. Microsoft's linker finds that out by itself.
function(crla_wide_main name)
  if(NOT CRLAGENT_CL)
    target_link_options(${name} PRIVATE -municode)
  endif()
endfunction()
