# LLVM's archives, from which `nnc` takes what it uses. To load the shared library, of which it uses a fifth, takes
# 40 ms: more than to compile a small model. Everything else, the tests among it, is linked with the shared library.
#   LLVM_ARCHIVES      the archives and what they need; empty where they are not wanted or not there
#   LLVM_LINK_OPTIONS  what makes the program small and quick to load
set(LLVM_ARCHIVES "")
set(LLVM_LINK_OPTIONS -Wl,--gc-sections)
option(NNC_STATIC_LLVM "Link nnc with LLVM's archives instead of its shared library" ON)
find_program(LLVM_CONFIG llvm-config PATHS ${LLVM_FOLDER}/../bin NO_DEFAULT_PATH)
if(NNC_STATIC_LLVM AND LLVM_CONFIG AND NOT NNC_SANITIZE AND NOT NNC_FUZZ)
  execute_process(COMMAND ${LLVM_CONFIG} --link-static --libfiles core x86 orcjit passes
                  OUTPUT_VARIABLE files RESULT_VARIABLE failed OUTPUT_STRIP_TRAILING_WHITESPACE)
  separate_arguments(files)
  # By the names that the loader knows: the packages which LLVM's own need have no others.
  find_library(LLVM_ZSTD NAMES zstd libzstd.so.1)
  find_library(LLVM_CXX NAMES stdc++ libstdc++.so.6)
  list(GET files 0 first)
  if(NOT failed AND EXISTS ${first} AND LLVM_ZSTD AND LLVM_CXX)
    set(LLVM_ARCHIVES ${files} ${LLVM_ZSTD} ${LLVM_CXX})
    if(NNC_LLD)
      list(APPEND LLVM_LINK_OPTIONS -Wl,-z,pack-relative-relocs)
    endif()
  endif()
endif()
