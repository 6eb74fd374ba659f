using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace WebManager.Web.Migrations
{
    /// <inheritdoc />
    public partial class NodeGroups : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // The group "default" (NodeGroup.FirstId), which the engine makes at its next start.
            migrationBuilder.AddColumn<Guid>(
                name: "Group",
                table: "nodes",
                type: "TEXT",
                nullable: false,
                defaultValue: new Guid("00000000-0000-4000-8000-000000000001"));

            migrationBuilder.AddColumn<string>(
                name: "Tags",
                table: "nodes",
                type: "TEXT",
                nullable: false,
                defaultValue: "[]");

            migrationBuilder.AddColumn<string>(
                name: "Tags",
                table: "clusters",
                type: "TEXT",
                nullable: false,
                defaultValue: "[]");

            migrationBuilder.CreateTable(
                name: "node_groups",
                columns: table => new
                {
                    Id = table.Column<Guid>(type: "TEXT", nullable: false),
                    Name = table.Column<string>(type: "TEXT", nullable: false),
                    CreatedAt = table.Column<long>(type: "INTEGER", nullable: false),
                    Revision = table.Column<long>(type: "INTEGER", nullable: false),
                    RecoveryOff = table.Column<bool>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_node_groups", x => x.Id);
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "node_groups");

            migrationBuilder.DropColumn(
                name: "Group",
                table: "nodes");

            migrationBuilder.DropColumn(
                name: "Tags",
                table: "nodes");

            migrationBuilder.DropColumn(
                name: "Tags",
                table: "clusters");
        }
    }
}
