# Flags that every target of this project is compiled with; all but a few are looked at by the sanitizers too.
add_library(tune_plain_flags INTERFACE)
add_library(tune_flags INTERFACE)
target_link_libraries(tune_flags INTERFACE tune_plain_flags)
target_include_directories(tune_plain_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(tune_plain_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
  -pthread)  # everywhere, since a precompiled header serves only compilations that agree on it
# GCC 12 sees overlaps and overflows in std::string's own operator+ and insert that are not there (GCC bugs 105329 and
# 105651, fixed in 13).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(tune_plain_flags INTERFACE -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread
                                                    -Wno-array-bounds -Wno-maybe-uninitialized)
endif()
if(TUNE_SANITIZE)
  # UBSan's checks for null and for alignment stand before every access and add a quarter each to the compile time
  # (measured on the engine), so they are left out: AddressSanitizer stops at an access through a null pointer, and x86
  # allows misaligned ones. The one for dynamic types opens files to look at memory, and so reports objects that are well
  # where a test leaves the process no files to open.
  target_compile_options(tune_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all
    -fno-sanitize=null,alignment,vptr -fno-omit-frame-pointer)
  target_link_options(tune_flags INTERFACE -fsanitize=address,undefined)
endif()
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # The warning is about types of a header; here it sees one source included by another. A compilation of a whole folder
  # collects garbage for a seventh of its time unless it may take a gigabyte more.
  target_compile_options(tune_plain_flags INTERFACE -Wno-subobject-linkage --param=ggc-min-heapsize=2000000)
endif()

# tune_module(NAME [libraries...]): a static library of every .cpp in this folder (main.cpp apart) or, where it holds
# folders alone, in those. All modules share the precompiled headers of tune_core, since each of them reads JSON.
function(tune_module name)
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  if(NOT sources)
    file(GLOB sources CONFIGURE_DEPENDS */*.cpp)
  endif()
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC tune_flags ${ARGN})
  if(NOT name STREQUAL tune_core)
    target_precompile_headers(${name} REUSE_FROM tune_core)
  endif()
endfunction()

# tune_test(NAME DIR [libraries...]): one Catch2 program of every .cpp in DIR (as of modules), and one CTest entry.
# A program in which a case called skip() and no other failed counts as skipped.
function(tune_test name dir)
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.cpp)
  if(NOT sources)
    file(GLOB sources CONFIGURE_DEPENDS ${dir}/*/*.cpp)
  endif()
  tune_test_of(${name} "${sources}" ${ARGN})
endfunction()

# tune_test_of(NAME SOURCES [libraries...]): the same of the sources that a list names.
function(tune_test_of name sources)
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE tune_test_support ${ARGN})
  target_precompile_headers(${name} REUSE_FROM tune_test_support)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 1200)
endfunction()

# tune_embed(TARGET HEADER NAMESPACE [FUNCTION FILE]...): gives TARGET a function `std::string_view NAMESPACE::FUNCTION()` of
# each file's bytes; HEADER declares them. The assembler reads the files: quicker than any array in C++.
function(tune_embed target header namespace)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded.cpp)
  set(content "#include \"${header}\"\n")
  set(files)
  while(ARGN)
    list(POP_FRONT ARGN name file)
    list(APPEND files ${file})
    string(APPEND content "\nasm(\".pushsection .rodata\\n${target}_${name}:\\n.incbin \\\"${file}\\\"\\n\"\n"
                          "    \"${target}_${name}_end:\\n.byte 0\\n.popsection\");\n"
                          "extern \"C\" const char ${target}_${name}[], ${target}_${name}_end[];\n"
                          "std::string_view ${namespace}::${name}() {\n"
                          "  return {${target}_${name}, static_cast<std::size_t>(${target}_${name}_end - ${target}_${name})};\n}\n")
  endwhile()
  file(GENERATE OUTPUT ${source} CONTENT "${content}")
  target_sources(${target} PRIVATE ${source})
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS "${files}" SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# tune_embed_folder(TARGET HEADER NAMESPACE FUNCTION FILES...): gives TARGET a function `std::vector<EmbeddedFile>
# NAMESPACE::FUNCTION()` of the files' names and bytes, as they are and compressed; HEADER declares both.
function(tune_embed_folder target header namespace function)
  find_program(TUNE_GZIP gzip REQUIRED)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded_folder.cpp)
  set(content "#include \"${header}\"\n")
  set(rows)
  set(files)
  set(number 0)
  foreach(file IN LISTS ARGN)
    get_filename_component(name ${file} NAME)
    set(packed ${CMAKE_CURRENT_BINARY_DIR}/packed/${name}.gz)
    add_custom_command(OUTPUT ${packed} DEPENDS ${file} VERBATIM
      COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/packed
      COMMAND sh -c "\"$1\" -9 -n -c \"$2\" > \"$3\"" sh ${TUNE_GZIP} ${file} ${packed})
    list(APPEND files ${file} ${packed})
    set(arguments \"${name}\")
    foreach(form IN ITEMS raw packed)
      set(symbol ${target}_${function}_${form}_${number})
      set(path ${file})
      if(form STREQUAL "packed")
        set(path ${packed})
      endif()
      string(APPEND content "\nasm(\".pushsection .rodata\\n${symbol}:\\n.incbin \\\"${path}\\\"\\n\"\n"
                            "    \"${symbol}_end:\\n.byte 0\\n.popsection\");\n"
                            "extern \"C\" const char ${symbol}[], ${symbol}_end[];\n")
      string(APPEND arguments ", {${symbol}, static_cast<std::size_t>(${symbol}_end - ${symbol})}")
    endforeach()
    list(APPEND rows "    {${arguments}}")
    math(EXPR number "${number} + 1")
  endforeach()
  list(JOIN rows ",\n" rows)
  string(APPEND content "\nstd::vector<${namespace}::EmbeddedFile> ${namespace}::${function}() {\n  return {\n${rows}};\n}\n")
  file(GENERATE OUTPUT ${source} CONTENT "${content}")
  target_sources(${target} PRIVATE ${source})
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS "${files}" SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
