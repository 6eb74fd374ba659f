using WebManager.Web.Identity.Directories;

namespace WebManager.Web.Tests.Identity;

public sealed class LdapTextTests
{
    [Theory]   // RFC 4515, section 4, and what people try
    [InlineData("ada", "ada"), InlineData("Parens R Us (for all your parenthetical needs)", @"Parens R Us \28for all your parenthetical needs\29"), InlineData("*", @"\2a")]
    [InlineData(@"C:\MyFile", @"C:\5cMyFile"), InlineData("Lučić", @"Lu\c4\8di\c4\87"), InlineData("a\0b", @"a\00b"), InlineData("x)(uid=*))(|(uid=*", @"x\29\28uid=\2a\29\29\28|\28uid=\2a")]
    public void A_value_in_a_filter_is_only_a_value(string value, string expected) => Assert.Equal(expected, LdapText.Filter(value));

    [Theory]   // RFC 4514, section 2.4
    [InlineData("ada", "ada"), InlineData("James \"Jim\" Smith, III", @"James \22Jim\22 Smith\2c III"), InlineData(" a ", @"\20a\20"), InlineData("#a#b", @"\23a#b"), InlineData("a=b+c;d<e>f\\g", @"a\3db\2bc\3bd\3ce\3ef\5cg")]
    [InlineData("Lučić", @"Lu\c4\8di\c4\87"), InlineData("ada,ou=admins", @"ada\2cou\3dadmins"), InlineData("a\0", @"a\00")]
    public void A_value_in_a_name_is_only_a_value(string value, string expected) => Assert.Equal(expected, LdapText.Dn(value));
}
