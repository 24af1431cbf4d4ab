/**
 * How rectangles of pixels are written in RFB: pixel formats and encodings (RFC 6143, sections 7.4 and 7.7; the community's rfbproto for
 * Tight and Zlib). Nothing here knows of connections.
 *
 * <p>Start reading at {@link dev.xenolith.dom0.display.encoding.Encoder}.
 */
@NullMarked
package dev.xenolith.dom0.display.encoding;

import org.jspecify.annotations.NullMarked;
