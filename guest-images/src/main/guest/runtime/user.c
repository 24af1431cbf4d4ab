/* Going to user mode and coming back from it, by way of user_enter() in entry.S. */
#include "internal.h"

void user_prepare(unsigned long sp);
void user_prepare(unsigned long sp)
{
    /* Until it is left, the stack pointer is in the frame for user mode: no upcall may push there. The frame's flags unmask. */
    events_disable();
    this_cpu()->user_return = sp;
    hypercall_stack_switch(FLAT_KERNEL_SS, sp);
}

void user_leave(unsigned long value)
{
    user_leave_to(value, this_cpu()->user_return);
}
