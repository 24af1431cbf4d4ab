package dev.xenolith.dom0.xenstore;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StorePathTest {
    private static boolean valid(String path) {
        return StorePath.isValid(path, StorePath.MAX_RELATIVE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/a", "/a/b", "/A-Z_09@/x", "/local/domain/0/backend/vif/1/0"})
    void takesNames(String path) {
        assertThat(valid(path)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a", "a/b", "/a/", "//", "//a", "/a//b", "/a b", "/a.b", "/a:b", "/\u00e4", "/a+b",
        "@x", "/a\n"})
    void refusesOthers(String path) {
        assertThat(valid(path)).isFalse();
    }

    @Test
    void lengthLimitDoesNotCountTheDomainPrefix() {
        assertThat(valid("/" + "a".repeat(2047))).isTrue();
        assertThat(valid("/" + "a".repeat(2048))).isFalse();
        assertThat(valid("/local/domain/12345/" + "a".repeat(2048))).isTrue();
        assertThat(valid("/local/domain/12345/" + "a".repeat(2049))).isFalse();
        assertThat(valid("/local/domain/123456/" + "a".repeat(2028))).isFalse();
        assertThat(valid("/local/domain/x/" + "a".repeat(2048))).isFalse();
    }

    @Test
    void takesPathsApart() {
        assertThat(StorePath.components("/")).isEmpty();
        assertThat(StorePath.components("/a/b/c")).containsExactly("a", "b", "c");
        assertThat(StorePath.parent("/a/b")).isEqualTo("/a");
        assertThat(StorePath.parent("/a")).isEqualTo("/");
        assertThat(StorePath.parent("/")).isEqualTo("/");
        assertThat(StorePath.name("/a/b")).isEqualTo("b");
        assertThat(StorePath.child("/", "a")).isEqualTo("/a");
        assertThat(StorePath.canonical("/local/domain/3", "x/y")).isEqualTo("/local/domain/3/x/y");
        assertThat(StorePath.canonical("/local/domain/3", "@releaseDomain")).isEqualTo("@releaseDomain");
    }

    @Test
    void numbersAreReadAsTheCLibraryDoes() throws XenstoreException {
        assertThat(CNumbers.atoi(" 12abc")).isEqualTo(12);
        assertThat(CNumbers.atoi("-7")).isEqualTo(-7);
        assertThat(CNumbers.atoi("x")).isZero();
        assertThat(CNumbers.strictInteger("0x1F")).isEqualTo(31);
        assertThat(CNumbers.strictInteger("010")).isEqualTo(8);
        assertThat(CNumbers.strictInteger("0")).isZero();
        for (String bad : new String[]{"", "x", "1x", "09", "0x", "-", " "}) {
            assertThat(StoreFixture.errorOf(() -> CNumbers.strictInteger(bad))).as(bad).isEqualTo(XenstoreError.EINVAL);
        }
    }
}
