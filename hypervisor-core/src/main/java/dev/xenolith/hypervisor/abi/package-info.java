/**
 * The Xen 4.17 ABI as data: numbers and public structures, one class per public header, nothing else.
 *
 * <p>Every structure is declared once, field by field in the header's order, as a {@link dev.xenolith.hypervisor.abi.Struct}
 * that computes the layout for 64-bit guests and for 32-bit ones; offsets used by code are constants read from it. A test
 * compares both layouts with what gcc says about the installed headers, or with recorded numbers where there are none. Start
 * reading at {@link dev.xenolith.hypervisor.abi.Xen}.
 */
@NullMarked
package dev.xenolith.hypervisor.abi;

import org.jspecify.annotations.NullMarked;
