/* Constants that the assembly, the linker script and the C code agree on. */
#ifndef LAYOUT_H
#define LAYOUT_H

#include "arch.h"

/* One stack per vCPU; aligned to its size, so that the stack pointer alone leads to the vCPU's struct cpu. */
#define MAX_VCPUS       8
#define STACK_SIZE      16384
#define CPU_AREA_SIZE   64        /* struct cpu, at the top of the stack */

/* Entries beyond the 256 exception vectors, for trap_frame.vector */
#define VECTOR_EVENT     256
#define VECTOR_FAILSAFE  257
#define VECTOR_SYSCALL   258
#define VECTOR_SYSENTER  259
#define VECTOR_SYSCALL32 260
#define VECTOR_SOFTWARE  261      /* any gate of the guest above vector 31 */
#define NR_VECTORS       262

#endif
