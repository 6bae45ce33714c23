# embed.cmake - writes the Lua library as a C source.
#
#   cmake -DROOT=<lua dir> "-DFILES=gru/init.lua;gru/nn/init.lua" -DOUT=<file.c> \
#         -P embed.cmake
#
# FILES are relative to ROOT.  "gru/nn/gru.lua" becomes the module "gru.nn.gru",
# "gru/nn/init.lua" the module "gru.nn".  See library.h for the array that comes out.

cmake_minimum_required(VERSION 3.16)

foreach(name ROOT FILES OUT)
  if(NOT DEFINED ${name})
    message(FATAL_ERROR "embed.cmake: -D${name}=... is missing")
  endif()
endforeach()

set(texts "")
set(rows "")
set(names "")
set(number 0)

foreach(file IN LISTS FILES)
  if(NOT file MATCHES "^[A-Za-z0-9_./]+\\.lua$")
    message(FATAL_ERROR "embed.cmake: '${file}' is not the name of a Lua module")
  endif()
  string(REGEX REPLACE "(/init)?\\.lua$" "" module "${file}")
  string(REPLACE "/" "." module "${module}")
  if(module IN_LIST names)
    message(FATAL_ERROR "embed.cmake: two files for module '${module}'")
  endif()
  list(APPEND names "${module}")

  file(READ "${ROOT}/${file}" hex HEX)
  string(LENGTH "${hex}" size)
  math(EXPR size "${size} / 2")
  # 24 bytes a line, and an extra zero, since an array may not be empty
  string(REPEAT "." 48 line)
  string(REGEX REPLACE "(${line})" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  string(APPEND texts "static const unsigned char text${number}[] = {\n${hex}0x00};\n\n")
  string(APPEND rows "  {\"${module}\", \"@${file}\", text${number}, ${size}u},\n")
  math(EXPR number "${number} + 1")
endforeach()

file(WRITE "${OUT}" "/* Written by embed.cmake from lua/; do not edit. */
#include \"library.h\"

${texts}const gru_library_module gruI_library_modules[] = {
${rows}  {NULL, NULL, NULL, 0},
};
")
