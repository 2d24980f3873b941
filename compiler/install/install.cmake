# What `cmake --install` puts where: the program, two static libraries with their headers, and how pkg-config and CMake
# find them.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# libnn.a: programs over nn.h. It is also what libnnc.a needs.
add_library(nn STATIC $<TARGET_OBJECTS:nn_core> $<TARGET_OBJECTS:nn_data> $<TARGET_OBJECTS:nn_host>)
set_target_properties(nn PROPERTIES LINKER_LANGUAGE C ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})

# libnnc.a: the compiler in one object that exports nnc_* alone, so that its many short names meet nobody else's.
set(parts support syntax grammar prelude ir rules display autodiff passes kernel schedule check elaborate codegen embed_core)
list(TRANSFORM parts REPLACE "(.+)" "$<TARGET_FILE:nnc_\\1>" OUTPUT_VARIABLE part_files)
list(TRANSFORM parts PREPEND nnc_)
set(whole ${PROJECT_BINARY_DIR}/nnc_whole.o)
set(libnnc ${PROJECT_BINARY_DIR}/libnnc.a)
add_custom_command(OUTPUT ${libnnc} DEPENDS nnc_api ${parts} COMMAND_EXPAND_LISTS VERBATIM
  COMMAND ${CMAKE_LINKER} -r -o ${whole} --whole-archive $<TARGET_FILE:nnc_api> --no-whole-archive
          --start-group ${part_files} --end-group
  COMMAND ${CMAKE_OBJCOPY} --localize-hidden --wildcard --localize-symbol=nn_micro_* ${whole}
  COMMAND ${CMAKE_COMMAND} -E rm -f ${libnnc}
  COMMAND ${CMAKE_AR} rcs ${libnnc} ${whole}
  COMMAND ${CMAKE_COMMAND} -E rm -f ${whole})
add_custom_target(libnnc ALL DEPENDS ${libnnc})

install(TARGETS nnc RUNTIME)
install(TARGETS nn ARCHIVE)
install(FILES ${libnnc} DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES runtime/include/nn.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES compiler/include/nnc/nnc.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/nnc)

# Everything is found relative to where it lies, so that an installed tree can be moved.
file(RELATIVE_PATH NNC_PC_TO_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
foreach(package nn nnc)
  set(folder ${CMAKE_INSTALL_LIBDIR}/cmake/${package})
  set(made ${PROJECT_BINARY_DIR}/packages/${package})
  configure_file(compiler/install/${package}.pc.in ${made}.pc @ONLY)
  configure_package_config_file(compiler/install/${package}Config.cmake.in ${made}Config.cmake INSTALL_DESTINATION ${folder}
    PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_BINDIR NO_CHECK_REQUIRED_COMPONENTS_MACRO)
  write_basic_package_version_file(${made}ConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${made}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  install(FILES ${made}Config.cmake ${made}ConfigVersion.cmake DESTINATION ${folder})
endforeach()
