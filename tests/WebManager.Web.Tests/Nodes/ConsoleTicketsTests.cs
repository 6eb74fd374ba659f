using WebManager.Testing;
using WebManager.Web.Nodes;
using Xunit;

namespace WebManager.Web.Tests.Nodes;

public sealed class ConsoleTicketsTests
{
    private readonly ManualClock _clock = new(DateTimeOffset.UnixEpoch);
    private readonly Guid _web1 = Guid.NewGuid();

    [Fact]
    public void A_ticket_serves_its_user_and_instance_once()
    {
        var tickets = new ConsoleTickets(_clock);
        var ticket = tickets.Create("ada", _web1);
        Assert.True(tickets.Redeem(ticket, "ada", _web1));
        Assert.False(tickets.Redeem(ticket, "ada", _web1));
    }

    [Fact]
    public void A_ticket_serves_nobody_else_and_nothing_else()
    {
        var tickets = new ConsoleTickets(_clock);
        Assert.False(tickets.Redeem(tickets.Create("ada", _web1), "bob", _web1));
        Assert.False(tickets.Redeem(tickets.Create("ada", _web1), "ada", Guid.NewGuid()));
        Assert.False(tickets.Redeem("", "ada", _web1));
    }

    [Fact]
    public void A_ticket_lives_ten_seconds()
    {
        var tickets = new ConsoleTickets(_clock);
        var (early, late) = (tickets.Create("ada", _web1), tickets.Create("ada", _web1));
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.True(tickets.Redeem(early, "ada", _web1));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.False(tickets.Redeem(late, "ada", _web1));
    }
}
