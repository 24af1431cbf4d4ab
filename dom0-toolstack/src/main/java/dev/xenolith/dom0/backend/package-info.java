/**
 * What backends of all kinds have in common: the bus on which they find their frontends, and rings.
 *
 * <p>A {@link dev.xenolith.dom0.backend.BackendBus} watches the directories of its domain in xenstore in which a toolstack
 * announces devices (docs/misc/xenbus.txt), has a {@link dev.xenolith.dom0.backend.BackendDriver} make a backend for each, and tells it
 * what its frontend does. Frontends are guests: what they write to xenstore and into rings may be anything. A bus and its backends live in
 * one Java domain, dom0 or a driver domain, and reach the world only through that domain's handle and its connection to xenstore.
 */
@NullMarked
package dev.xenolith.dom0.backend;

import org.jspecify.annotations.NullMarked;
