/**
 * Domain configuration: the complete syntax of xl.cfg, typed access that can say which file, line and key is wrong, and
 * {@link dev.xenolith.dom0.config.DomainConfig}, what is left when everything has been checked.
 *
 * <p>Start reading at {@code XlConfigParser} (text to {@code XlConfig}), then {@code DomainConfigReader} (to
 * {@code DomainConfig}); {@code XlConfigKey} is the table of every key that xl.cfg(5) knows, acted on or not.
 */
@NullMarked
package dev.xenolith.dom0.config;

import org.jspecify.annotations.NullMarked;
