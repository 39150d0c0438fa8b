/* versions.h - the commands of `corral versions`, one file each but the short ones. */
#ifndef CORRAL_CLI_VERSIONS_H
#define CORRAL_CLI_VERSIONS_H

int versions_deploy(char **args);
int versions_upload(char **args);
int versions_secret(char **args);

#endif
