/**
 * What a toolstack knows of the two kinds of PV kernels, 64-bit ones and 32-bit ones with PAE: the layout of what they share with it,
 * their page tables, and what they start with.
 *
 * <p>{@link dev.xenolith.dom0.pv.PvAbi} is one of them, and whoever reads or writes a structure of a guest asks it;
 * {@link dev.xenolith.dom0.pv.StartInfoPage} and {@link dev.xenolith.dom0.pv.VcpuContext} are two such structures by the names of their
 * members.
 */
@NullMarked
package dev.xenolith.dom0.pv;

import org.jspecify.annotations.NullMarked;
