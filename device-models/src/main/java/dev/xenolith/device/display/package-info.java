/**
 * What a person sees of the machine: so far the text mode of a VGA. Start reading at
 * {@link dev.xenolith.device.display.VgaText}.
 */
@NullMarked
package dev.xenolith.device.display;

import org.jspecify.annotations.NullMarked;
