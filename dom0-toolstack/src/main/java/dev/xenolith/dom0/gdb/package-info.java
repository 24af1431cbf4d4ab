/**
 * A stub for the remote serial protocol of gdb (Debugging with GDB, appendix E): the registers, memory and execution of processors for a
 * debugger.
 *
 * <p>The protocol knows neither its transport nor what it debugs: {@link dev.xenolith.dom0.gdb.GdbStub} takes and gives bytes and works
 * on a {@link dev.xenolith.dom0.gdb.GdbTarget}, all on the thread that owns the target. {@link dev.xenolith.dom0.gdb.GdbServer} is the
 * socket in front, {@link dev.xenolith.dom0.gdb.BoardTarget} a bare machine behind, {@link dev.xenolith.dom0.gdb.DomainTarget} a domain. Start reading at {@code GdbStub}.
 */
@NullMarked
package dev.xenolith.dom0.gdb;

import org.jspecify.annotations.NullMarked;
