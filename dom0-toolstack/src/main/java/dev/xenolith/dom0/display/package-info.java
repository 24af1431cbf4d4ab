/**
 * The screen, keyboard and pointer of an emulated PC for people elsewhere: a VNC server, and a web page with the same.
 *
 * <p>Start reading at {@link dev.xenolith.dom0.display.VncServer}; {@code screen} is where the machine thread's things meet the viewers',
 * {@code encoding} how pixels are written, {@code rfb} the protocol, {@code web} the browser's side.
 */
@NullMarked
package dev.xenolith.dom0.display;

import org.jspecify.annotations.NullMarked;
