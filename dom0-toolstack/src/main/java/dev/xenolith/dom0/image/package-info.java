/**
 * Images: kernels and initial RAM disks of a distribution, fetched with the distribution's own package client into the user's
 * cache, for {@code xenolith machine run --image}.
 *
 * <p>Nothing of another project is in this repository: a {@link dev.xenolith.dom0.image.LinuxRecipe} says which packages are
 * wanted, a {@link dev.xenolith.dom0.image.PackageClient} gets them, and what is put around them is our own. Start reading at
 * {@code LinuxRecipe}.
 */
@NullMarked
package dev.xenolith.dom0.image;

import org.jspecify.annotations.NullMarked;
