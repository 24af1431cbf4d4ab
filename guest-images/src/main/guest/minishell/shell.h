/* What the parts of minishell share. */
#ifndef SHELL_H
#define SHELL_H

#include "runtime.h"

#define LINE_SIZE 256
#define MAX_WORDS 8

/* Blocks until there is input or a request of the toolstack; false: the deadline passed first. */
bool wait_for_work(uint64_t deadline);

/* For long commands: whether Ctrl-C was typed. Keeps other keys for later, and serves the toolstack. */
bool interrupted(void);

void control_init(void);
bool control_pending(void);
void control_serve(void);

void commands_init(void);
void run_command(int words, char **word);

void command_store(int words, char **word);
void command_crash(int words, char **word);

#endif
