/**
 * The hypervisor as a whole: {@link dev.xenolith.hypervisor.Hypervisor} boots it on a machine and drives its processors. Start there;
 * the parts are in the packages below, each with a page of its own.
 */
@NullMarked
package dev.xenolith.hypervisor;

import org.jspecify.annotations.NullMarked;
