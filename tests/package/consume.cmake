# Builds PROJECT as a stranger would, outside of our tree: its files, the application and a checkout of holdfast in
# WORK; then runs the application. OPTIONS go to its configuration.
separate_arguments(OPTIONS UNIX_COMMAND "${OPTIONS}")
file(REMOVE_RECURSE ${WORK})
file(COPY ${PROJECT}/ ${CMAKE_CURRENT_LIST_DIR}/app.cpp DESTINATION ${WORK})
file(MAKE_DIRECTORY ${WORK}/third_party)
file(CREATE_LINK ${HOLDFAST} ${WORK}/third_party/holdfast SYMBOLIC)

foreach(command IN ITEMS
    "${CMAKE_COMMAND};-S;${WORK};-B;${WORK}/build;-G;Ninja;${OPTIONS}"
    "${CMAKE_COMMAND};--build;${WORK}/build"
    "${WORK}/build/app;${WORK}/state")
  execute_process(COMMAND ${command} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
