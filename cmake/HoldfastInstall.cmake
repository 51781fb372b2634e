# What `cmake --install` puts where: the library, its headers, the CMake package and holdfast.pc. All of it may be moved
# afterwards: nothing installed names the prefix.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

get_target_property(holdfast_type holdfast TYPE)
set(HOLDFAST_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/holdfast)

install(TARGETS holdfast EXPORT holdfast-targets FILE_SET HEADERS
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(HOLDFAST_INSTALL_TESTING)
  install(TARGETS holdfast_testing FILE_SET HEADERS)
endif()

install(EXPORT holdfast-targets NAMESPACE holdfast:: DESTINATION ${HOLDFAST_PACKAGE_DIR})
configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cmake/holdfast-config.cmake.in ${PROJECT_BINARY_DIR}/package/holdfast-config.cmake
  INSTALL_DESTINATION ${HOLDFAST_PACKAGE_DIR} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change what a program was compiled against.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/holdfast-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/holdfast-config.cmake
              ${PROJECT_BINARY_DIR}/package/holdfast-config-version.cmake
              ${PROJECT_SOURCE_DIR}/cmake/FindLMDB.cmake
        DESTINATION ${HOLDFAST_PACKAGE_DIR})

# holdfast.pc: the private lines are for a static library, which brings none of what it calls.
set(pc_cflags "")
set(pc_requires_private "")
set(pc_libs_private "")
if(HOLDFAST_WITH_LMDB)
  string(APPEND pc_cflags " -DHOLDFAST_WITH_LMDB")
endif()
if(holdfast_type STREQUAL "STATIC_LIBRARY")
  string(APPEND pc_cflags " -DHOLDFAST_STATIC")
  set(pc_requires_private "libcrypto >= 3")
  set(pc_libs_private "-pthread")
  if(HOLDFAST_WITH_LMDB AND PC_LMDB_FOUND)
    string(APPEND pc_requires_private ", lmdb")
  elseif(HOLDFAST_WITH_LMDB)
    string(PREPEND pc_libs_private "-llmdb ")
  endif()
endif()
file(RELATIVE_PATH pc_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
configure_file(${PROJECT_SOURCE_DIR}/cmake/holdfast.pc.in ${PROJECT_BINARY_DIR}/package/holdfast.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/package/holdfast.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
