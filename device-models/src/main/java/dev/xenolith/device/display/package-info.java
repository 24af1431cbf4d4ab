/**
 * What a person sees of the machine: a VGA with the VBE display interface of Bochs, and pictures of its screen.
 *
 * <p>{@link dev.xenolith.device.display.Vga} is made of its registers, its memory as processors see it and the display interface. From the
 * registers follows a video mode, from that and the memory what a renderer draws into a {@link dev.xenolith.device.display.Picture}. Start
 * reading at {@code Vga}; {@link dev.xenolith.device.display.StandardVga} plugs it into a board.
 */
@NullMarked
package dev.xenolith.device.display;

import org.jspecify.annotations.NullMarked;
