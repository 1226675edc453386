# LibTorch out of the Python wheel, as an imported target `tune_libtorch`.
#
# Looked for in CMAKE_PREFIX_PATH, then in the `torch` of the Python on the path, then in .venv (made by `./dev setup`).
# find_package(Torch) is not used: a CUDA build of the wheel makes it ask for a CUDA toolkit, which neither building nor
# running needs. A standalone LibTorch folder has the same include/ and lib/ and works too.
function(tune_find_libtorch result)
  set(candidates)
  string(REPLACE ":" ";" exported "$ENV{CMAKE_PREFIX_PATH}")
  foreach(prefix IN LISTS CMAKE_PREFIX_PATH exported)
    list(APPEND candidates ${prefix} ${prefix}/torch ${prefix}/../..)  # wheel root, site-packages, share/cmake
  endforeach()
  foreach(python IN ITEMS python3 ${CMAKE_SOURCE_DIR}/.venv/bin/python3)
    execute_process(
      COMMAND ${python} -c "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')"
      OUTPUT_VARIABLE location OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
    if(NOT failed AND location)
      list(APPEND candidates ${location})
    endif()
  endforeach()
  foreach(candidate IN LISTS candidates)
    if(EXISTS ${candidate}/include/torch/csrc/api/include/torch/torch.h AND EXISTS ${candidate}/lib/libtorch_cpu.so)
      get_filename_component(candidate ${candidate} REALPATH)
      set(${result} ${candidate} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "LibTorch was not found. Run `./dev setup`, or name a folder with its include/ and lib/ in "
                      "CMAKE_PREFIX_PATH, or build without the trainer: -DTUNE_TRAINER=OFF.")
endfunction()

tune_find_libtorch(TUNE_LIBTORCH)
foreach(place IN ITEMS torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
  if(EXISTS ${TUNE_LIBTORCH}/include/${place})
    file(READ ${TUNE_LIBTORCH}/include/${place} version_text)
    break()
  endif()
endforeach()
string(REGEX MATCH "TORCH_VERSION_MAJOR ([0-9]+)" _ "${version_text}")
set(major ${CMAKE_MATCH_1})
string(REGEX MATCH "TORCH_VERSION_MINOR ([0-9]+)" _ "${version_text}")
set(TUNE_LIBTORCH_VERSION ${major}.${CMAKE_MATCH_1})
message(STATUS "LibTorch ${TUNE_LIBTORCH_VERSION}: ${TUNE_LIBTORCH}")
file(WRITE ${CMAKE_BINARY_DIR}/libtorch-version "${TUNE_LIBTORCH_VERSION}\n")  # for packages
if(TUNE_LIBTORCH_VERSION VERSION_LESS 2.7)
  message(FATAL_ERROR "LibTorch ${TUNE_LIBTORCH_VERSION} is too old; 2.7 or newer is needed.")
endif()

add_library(tune_libtorch INTERFACE)
target_include_directories(tune_libtorch SYSTEM INTERFACE
  ${TUNE_LIBTORCH}/include ${TUNE_LIBTORCH}/include/torch/csrc/api/include)
# CUDA's part is not named: libtorch.so loads it where it has one, so that what is built here runs with either.
set(libraries torch torch_cpu c10)
list(TRANSFORM libraries PREPEND ${TUNE_LIBTORCH}/lib/lib)
list(TRANSFORM libraries APPEND .so)
target_link_libraries(tune_libtorch INTERFACE
  -Wl,--no-as-needed ${libraries} -Wl,--as-needed -Wl,--allow-shlib-undefined -Wl,-rpath,${TUNE_LIBTORCH}/lib)
