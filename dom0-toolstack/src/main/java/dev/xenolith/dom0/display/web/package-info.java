/**
 * The screen and the serial port in a browser: an HTTP server on Netty that serves noVNC, xterm.js and a page around them to whoever has the
 * token, and WebSockets that carry RFB and the console's bytes.
 *
 * <p>Start reading at {@link dev.xenolith.dom0.display.web.WebService}.
 */
@NullMarked
package dev.xenolith.dom0.display.web;

import org.jspecify.annotations.NullMarked;
