using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace WebManager.Web.Migrations
{
    /// <inheritdoc />
    public partial class RecoveryPolicy : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "DrainedWhy",
                table: "nodes",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "Recovery",
                table: "jobs",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "GaveUpAt",
                table: "instances",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "LastRecovery",
                table: "instances",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "Priority",
                table: "instances",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<bool>(
                name: "RecoveryOff",
                table: "instances",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<long>(
                name: "FrozenAt",
                table: "clusters",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "FrozenText",
                table: "clusters",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "RecoveryOff",
                table: "clusters",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "DrainedWhy",
                table: "nodes");

            migrationBuilder.DropColumn(
                name: "Recovery",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "GaveUpAt",
                table: "instances");

            migrationBuilder.DropColumn(
                name: "LastRecovery",
                table: "instances");

            migrationBuilder.DropColumn(
                name: "Priority",
                table: "instances");

            migrationBuilder.DropColumn(
                name: "RecoveryOff",
                table: "instances");

            migrationBuilder.DropColumn(
                name: "FrozenAt",
                table: "clusters");

            migrationBuilder.DropColumn(
                name: "FrozenText",
                table: "clusters");

            migrationBuilder.DropColumn(
                name: "RecoveryOff",
                table: "clusters");
        }
    }
}
