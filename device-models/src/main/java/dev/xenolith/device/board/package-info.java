/**
 * The machine: processors, memory and devices wired together, the thread that owns them all, and machine time.
 *
 * <p>One thread, the machine thread, executes every processor and owns all state; other threads hand it work through the
 * {@link dev.xenolith.device.board.Inbox}. A {@link dev.xenolith.device.board.Supervisor} says what a processor does with its
 * turn: run bare software, or a Java hypervisor. Start reading at {@link dev.xenolith.device.board.Machine}.
 */
@NullMarked
package dev.xenolith.device.board;

import org.jspecify.annotations.NullMarked;
