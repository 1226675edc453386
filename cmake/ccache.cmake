# Compiles through ccache where it is installed. A precompiled header remembers the paths of what it was made from, so each
# source tree has a cache of its own.
find_program(TUNE_CCACHE ccache)
if(TUNE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_NAMESPACE=${CMAKE_SOURCE_DIR} ${TUNE_CCACHE})
endif()
