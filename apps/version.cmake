# cmake -D SOURCE=... -D OUT=... -P version.cmake: writes OUT when the version is another.
execute_process(COMMAND ${SOURCE}/scripts/version.sh
                OUTPUT_VARIABLE QDT_VERSION OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
configure_file(${SOURCE}/apps/version.cc.in ${OUT} @ONLY)
