/* info.h - what the program knows of this machine before a script runs. */
#ifndef GRU_CLI_INFO_H
#define GRU_CLI_INFO_H

#include "gru_lua.h"

/* Writes the versions and a line for each device.  Returns an exit status. */
int gruI_info_version(const gruL_options *options);

/* Is the device of `options` there?  Writes why not.  Returns an exit status. */
int gruI_info_check_device(const gruL_options *options);

#endif
