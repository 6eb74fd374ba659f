using Microsoft.Extensions.Options;
using WebManager.Contracts;
using WebManager.Web.Nodes;
using Xunit;

namespace WebManager.Web.Tests.Nodes;

/// <summary>Power commands as real programs.</summary>
public sealed class PowerCommandsTests
{
    private static PowerCommands With(string program, params string[] arguments) =>
        new(Options.Create(new FencingOptions { Program = program, Arguments = arguments, Limit = TimeSpan.FromSeconds(20) }), TimeProvider.System);

    [Fact]
    public async Task Node_stands_for_its_name_and_no_shell_sees_it()
    {
        var commands = With("/usr/bin/test", "{node};true", "=", "n1;true");
        Assert.True(commands.Can("n1"));
        Assert.True((await commands.PowerOffAsync("n1", default)).Ok);
        Assert.Equal("power.failed", (await commands.PowerOffAsync("n2", default)).Refusal?.Code);
    }

    [Fact]
    public async Task What_a_failing_command_says_is_told()
    {
        var failed = await With("/bin/ls", "/no-such-{node}").PowerOffAsync("n1", default);
        Assert.Contains("/no-such-n1", failed.Refusal?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_that_hangs_is_killed_when_its_time_is_up()
    {
        var commands = new PowerCommands(Options.Create(new FencingOptions { Program = "/bin/sleep", Arguments = ["600"], Limit = TimeSpan.FromSeconds(0.2) }), TimeProvider.System);
        var failed = await commands.PowerOffAsync("n1", default).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Contains("did not end within 0.2 s", failed.Refusal?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_node_may_have_its_own_command_or_none()
    {
        var options = new FencingOptions { Program = "/bin/true", Nodes = new Dictionary<string, PowerCommand> { ["n1"] = new() { Program = "/bin/false" }, ["n2"] = new() } };
        Assert.Equal(("/bin/false", null, "/bin/true"), (options.Of("n1")?.Program, options.Of("n2")?.Program, options.Of("n3")?.Program));
        Assert.False(new PowerCommands(Options.Create(new FencingOptions()), TimeProvider.System).Can("n1"));
    }

    [Theory]
    [InlineData("ipmitool", "power", "is to be a full path")]
    [InlineData("/no/such/program", "power", "does not exist")]
    [InlineData("/bin/true", "{host}", "only {node} may stand in braces")]
    [InlineData("/bin/true", "a\nb", "control characters")]
    [InlineData("", "power", "without a Program")]
    public void Wrong_settings_are_named(string program, string argument, string why)
    {
        var check = new FencingCheck().Validate(null, new FencingOptions { Program = program, Arguments = [argument] });
        Assert.True(check.Failed);
        Assert.Contains(why, check.FailureMessage, StringComparison.Ordinal);
        Assert.Contains("Engine:Fencing", check.FailureMessage, StringComparison.Ordinal);
    }
}
