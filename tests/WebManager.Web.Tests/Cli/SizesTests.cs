using WebManager.Cli;
using Xunit;

namespace WebManager.Web.Tests.Cli;

public sealed class SizesTests
{
    [Theory]
    [InlineData("1", 1)]
    [InlineData("64", 64)]
    [InlineData("64M", 64)]
    [InlineData("64m", 64)]
    [InlineData("1G", 1024)]
    [InlineData("2T", 2 * 1024 * 1024)]
    [InlineData("16T", 16 * 1024 * 1024)]
    public void Sizes_are_read_as_MiB(string text, long mib)
    {
        Assert.True(Sizes.TryParse(text, out var read));
        Assert.Equal(mib, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("abc")]
    [InlineData("M")]
    [InlineData("1.5G")]
    [InlineData("1 G")]
    [InlineData("17T")]
    [InlineData("1000000000000")]
    [InlineData("9223372036854775807T")]
    [InlineData("99999999999999999999999")]
    public void What_is_no_size_is_refused(string text) => Assert.False(Sizes.TryParse(text, out _));

    [Theory]
    [InlineData(0, "0M")]
    [InlineData(64, "64M")]
    [InlineData(1024, "1G")]
    [InlineData(1536, "1536M")]
    [InlineData(1024 * 1024, "1T")]
    public void Sizes_are_shown_short_and_exact(long mib, string text) => Assert.Equal(text, Sizes.Format(mib));
}
