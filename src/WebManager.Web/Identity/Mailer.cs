// Letters by SMTP where it is configured, sent one after the other in the background: nobody waits for a mail server.
using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Net.Mail;
using System.Threading.Channels;
using Microsoft.Extensions.Options;
using WebManager.Web.Hosting;

namespace WebManager.Web.Identity;

/// <summary>Section Mail.</summary>
public sealed class MailOptions
{
    /// <summary>The SMTP server. Empty: nothing is mailed.</summary>
    public string Host { get; set; } = "";
    [Range(1, 65535)] public int Port { get; set; } = 25;

    /// <summary>The sender's address.</summary>
    public string From { get; set; } = "";
    public string User { get; set; } = "";
    public string Password { get; set; } = "";

    /// <summary>STARTTLS; the server's certificate must be good.</summary>
    public bool StartTls { get; set; }
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")] public TimeSpan Limit { get; set; } = TimeSpan.FromSeconds(30);
}

internal sealed record Letter(string Subject, string Text);

internal sealed class MailCheck : IValidateOptions<MailOptions>
{
    public ValidateOptionsResult Validate(string? name, MailOptions options) =>
        options.Host.Length > 0 && !MailAddress.TryCreate(options.From, out _) ? ValidateOptionsResult.Fail("Mail:From must be an e-mail address when Mail:Host is set.")
        : options.User.Length > 0 && !options.StartTls && options.Host is not ("localhost" or "127.0.0.1" or "::1") ? ValidateOptionsResult.Fail("Mail:User needs Mail:StartTls: the password must not cross the network unprotected.")
        : ValidateOptionsResult.Success;
}

public sealed class Mailer(IOptions<MailOptions> options, ILogger<Mailer> log) : BackgroundService
{
    // Bounded: who asks for very many links loses some, and the portal nothing.
    private readonly Channel<Func<Task>> _work = Channel.CreateBounded<Func<Task>>(new BoundedChannelOptions(1000) { FullMode = BoundedChannelFullMode.DropWrite });

    public bool IsOn => options.Value.Host.Length > 0;

    internal ValueTask LaterAsync(Func<Task> work) => _work.Writer.WriteAsync(work);

    internal ValueTask SendLaterAsync(string to, Letter letter) => LaterAsync(() => SendAsync(to, letter));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var work in _work.Reader.ReadAllAsync(stoppingToken))
        {
            try { await work(); }
            catch (Exception ex) { log.MailFailed(ex); }
        }
    }

    private async Task SendAsync(string to, Letter letter)
    {
        var mail = options.Value;
        using var client = new SmtpClient(mail.Host, mail.Port) { EnableSsl = mail.StartTls, UseDefaultCredentials = false };
        if (mail.User.Length > 0) { client.Credentials = new NetworkCredential(mail.User, mail.Password); }
        using var message = new MailMessage(mail.From, to, letter.Subject, letter.Text);
        using var limit = new CancellationTokenSource(mail.Limit);
        await client.SendMailAsync(message, limit.Token);
        log.MailSent(letter.Subject);
    }
}

internal static class MailServices
{
    public static IServiceCollection AddPortalMail(this IServiceCollection services)
    {
        services.AddOptions<MailOptions>().BindConfiguration("Mail").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<IValidateOptions<MailOptions>, MailCheck>();
        services.AddSingleton<Mailer>();
        services.AddHostedService(s => s.GetRequiredService<Mailer>());
        return services;
    }
}
