using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace WebManager.Web.Migrations
{
    /// <inheritdoc />
    public partial class InstanceTagsAndFound : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "Tags",
                table: "instances",
                type: "TEXT",
                nullable: false,
                defaultValue: "[]");

            migrationBuilder.CreateTable(
                name: "removed_instances",
                columns: table => new
                {
                    Id = table.Column<Guid>(type: "TEXT", nullable: false),
                    Name = table.Column<string>(type: "TEXT", nullable: false),
                    At = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_removed_instances", x => x.Id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_removed_instances_At",
                table: "removed_instances",
                column: "At");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "removed_instances");

            migrationBuilder.DropColumn(
                name: "Tags",
                table: "instances");
        }
    }
}
