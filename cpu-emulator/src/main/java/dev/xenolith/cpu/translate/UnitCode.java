package dev.xenolith.cpu.translate;

/**
 * A unit as {@link UnitEmitter} writes it.
 *
 * @param bytes its class file
 * @param links highest number of an exit that leads to one place
 * @param length of its method's bytecode
 */
record UnitCode(byte[] bytes, int links, int length) {
}
