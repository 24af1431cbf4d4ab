/**
 * The commands of {@code xl} and {@code xenolith}: parsing, output and exit codes of the real xl (Xen 4.17), against
 * {@link dev.xenolith.dom0.xl.Toolstack}, the one interface between commands and host.
 *
 * <p>Start reading at {@code Toolstack}; then {@code XlCommands}, the table of what exists.
 */
@NullMarked
package dev.xenolith.dom0.xl;

import org.jspecify.annotations.NullMarked;
