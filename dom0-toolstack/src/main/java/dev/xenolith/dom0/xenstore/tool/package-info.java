/**
 * The command line tools of xenstore (xenstore-ls, -read, -write, ... of Xen's tools/xenstore), without their command lines.
 *
 * <p>{@link dev.xenolith.dom0.xenstore.tool.XenstoreTool} does what the tools do and prints what they print;
 * {@link dev.xenolith.dom0.xenstore.tool.TreePrinter} is xenstore-ls, {@link dev.xenolith.dom0.xenstore.tool.Values} the escapes
 * that all of them use. Options are parsed by the commands around them.
 */
@NullMarked
package dev.xenolith.dom0.xenstore.tool;

import org.jspecify.annotations.NullMarked;
