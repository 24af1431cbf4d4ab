/**
 * Xenconsoled: keeps the PV consoles of all domains, for whoever attaches.
 *
 * <p>{@link dev.xenolith.dom0.console.ConsoleDaemon} is the component: it finds domains and their console rings through
 * xenstore as the real daemon does (tools/console/daemon of Xen), and is where clients attach.
 * A domain's further consoles are devices, of which {@link dev.xenolith.dom0.console.ConsoleBackend} is the backend.
 * {@link dev.xenolith.dom0.console.GuestConsole} serves one ring (xen/include/public/io/console.h) and
 * {@link dev.xenolith.dom0.console.Backlog} keeps what nobody has read yet. Guests are hostile: a ring whose indexes cannot be is
 * left alone, output is rate-limited and bounded. Everything runs on the machine thread; files and terminals belong to the
 * callers, who hand in sinks that do not block.
 */
@NullMarked
package dev.xenolith.dom0.console;

import org.jspecify.annotations.NullMarked;
