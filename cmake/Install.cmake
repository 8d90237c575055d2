# What `cmake --install` puts where, and the Debian package of it (`cpack`, scripts/package.sh).
include(GNUInstallDirs)

set(manual ${CMAKE_BINARY_DIR}/manual)
add_custom_command(
  OUTPUT ${manual}/reticle.1 ${manual}/reticle.bash
  COMMAND ${CMAKE_COMMAND} -E make_directory ${manual}
  COMMAND $<TARGET_FILE:reticle> manual man > ${manual}/reticle.1
  COMMAND $<TARGET_FILE:reticle> manual bash > ${manual}/reticle.bash
  DEPENDS reticle COMMENT "Writing the manual page and the completion" VERBATIM)
add_custom_target(reticle_manual ALL DEPENDS ${manual}/reticle.1 ${manual}/reticle.bash)

# For editors: what the checker knows of every kind of file (docs/configuration.md).
file(GLOB_RECURSE configs CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/configs/*.yaml)
add_custom_command(
  OUTPUT ${manual}/schemas/platform.schema.json
  COMMAND ${CMAKE_COMMAND} -E env RETICLE_HOME=${PROJECT_SOURCE_DIR}
          $<TARGET_FILE:reticle> manual schema ${manual}/schemas
  DEPENDS reticle ${configs} COMMENT "Writing the JSON Schemas" VERBATIM)
add_custom_target(reticle_schemas ALL DEPENDS ${manual}/schemas/platform.schema.json)

install(TARGETS reticle RUNTIME)
install(DIRECTORY workloads/samples DESTINATION ${CMAKE_INSTALL_DATADIR}/reticle/workloads)
install(DIRECTORY configs DESTINATION ${CMAKE_INSTALL_DATADIR}/reticle)
install(PROGRAMS scripts/plot_compare.py scripts/plot_sweep.py scripts/plot_registry.py
        DESTINATION ${CMAKE_INSTALL_DATADIR}/reticle/scripts)
install(FILES scripts/python/reticle.py DESTINATION lib/python3/dist-packages)
install(FILES scripts/python/example.py DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(DIRECTORY ${manual}/schemas DESTINATION ${CMAKE_INSTALL_DATADIR}/reticle)
install(FILES ${manual}/reticle.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${manual}/reticle.bash RENAME reticle
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs
        PATTERN examples EXCLUDE PATTERN CMakeLists.txt EXCLUDE)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME reticle)
set(CPACK_PACKAGE_CONTACT "Reticle developers <reticle@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "simulate LLM inference on ASICs, GPUs and wafers")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)  # by dpkg-shlibdeps: what the program is linked to
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "python3, python3-matplotlib")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "python3-pandas, slurm-client")
include(CPack)
