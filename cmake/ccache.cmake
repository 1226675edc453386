# Compiles through ccache where it is installed. Precompiled headers need the sloppiness; `dev` exports the same.
find_program(TUNE_CCACHE ccache)
if(TUNE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${TUNE_CCACHE})
endif()
