using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace WebManager.Web.Migrations
{
    /// <inheritdoc />
    public partial class AuditChain : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "Hash",
                table: "audit",
                type: "TEXT",
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddColumn<string>(
                name: "Previous",
                table: "audit",
                type: "TEXT",
                nullable: false,
                defaultValue: "");

            // Entries that are in the chain are never changed; only what retention noted as removed (settings, audit.anchor) may go.
            migrationBuilder.Sql("""
                CREATE TRIGGER "audit_no_update" BEFORE UPDATE ON "audit" WHEN OLD."Hash" <> ''
                BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END;
                """);
            migrationBuilder.Sql("""
                CREATE TRIGGER "audit_no_delete" BEFORE DELETE ON "audit"
                WHEN OLD."Id" > COALESCE((SELECT CAST("Value" AS INTEGER) FROM "settings" WHERE "Name" = 'audit.anchor'), 0)
                BEGIN SELECT RAISE(ABORT, 'audit entries are never removed but by retention'); END;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("""DROP TRIGGER "audit_no_update"; DROP TRIGGER "audit_no_delete";""");

            migrationBuilder.DropColumn(
                name: "Hash",
                table: "audit");

            migrationBuilder.DropColumn(
                name: "Previous",
                table: "audit");
        }
    }
}
