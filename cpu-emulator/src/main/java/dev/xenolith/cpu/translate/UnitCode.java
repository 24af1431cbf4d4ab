package dev.xenolith.cpu.translate;

/**
 * A unit as {@link UnitEmitter} writes it.
 *
 * @param bytes its class file
 * @param links highest number of an exit that leads to one place
 */
record UnitCode(byte[] bytes, int links) {
}
