/**
 * Grant tables: how domains let each other map, copy to and from, and receive single pages (xen/include/public/grant_table.h,
 * version 1).
 *
 * <p>A granter writes entries into frames that the hypervisor shares with it ({@link dev.xenolith.hypervisor.grant.GrantTable}); the
 * hypervisor notes in them, with compare-and-exchange, what is in use, and counts uses beside them in its own memory. A grantee's
 * mappings are in its {@link dev.xenolith.hypervisor.grant.MapTrack}. Start reading at
 * {@link dev.xenolith.hypervisor.grant.GrantOperations}.
 */
@NullMarked
package dev.xenolith.hypervisor.grant;

import org.jspecify.annotations.NullMarked;
