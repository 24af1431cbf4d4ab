/** Fakes for tests of dom0's components: a hypervisor of queues and byte arrays that runs when told to. */
@NullMarked
package dev.xenolith.dom0.support;

import org.jspecify.annotations.NullMarked;
