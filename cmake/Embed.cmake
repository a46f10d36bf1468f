# SPDX-License-Identifier: Apache-2.0
# crla_embed_text(TARGET FILE SYMBOL): compiles a text file into TARGET as "const char SYMBOL[]", NUL-terminated.
# The schemas are data of the program: what is validated against never depends on a file beside the .exe.
function(crla_embed_text target file symbol)
  get_filename_component(path "${file}" ABSOLUTE BASE_DIR "${CMAKE_SOURCE_DIR}")
  set(out "${CMAKE_CURRENT_BINARY_DIR}/embed_${symbol}.c")
  add_custom_command(OUTPUT "${out}"
    COMMAND "${CMAKE_COMMAND}" "-DIN=${path}" "-DOUT=${out}" "-DSYMBOL=${symbol}"
      -P "${CMAKE_SOURCE_DIR}/cmake/EmbedRun.cmake"
    DEPENDS "${path}" "${CMAKE_SOURCE_DIR}/cmake/EmbedRun.cmake" VERBATIM)
  target_sources(${target} PRIVATE "${out}")
endfunction()
