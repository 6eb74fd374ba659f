using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace WebManager.Web.Migrations
{
    /// <inheritdoc />
    public partial class JobQueue : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "ArchivedAt",
                table: "jobs",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "CanceledBy",
                table: "jobs",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "Depends",
                table: "jobs",
                type: "TEXT",
                nullable: false,
                defaultValue: "[]");

            migrationBuilder.AddColumn<int>(
                name: "Priority",
                table: "jobs",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<int>(
                name: "MaxOpenJobs",
                table: "clusters",
                type: "INTEGER",
                nullable: false,
                defaultValue: 5000);

            migrationBuilder.AddColumn<int>(
                name: "MaxRunningJobs",
                table: "clusters",
                type: "INTEGER",
                nullable: false,
                defaultValue: 25);

            migrationBuilder.AddColumn<bool>(
                name: "QueueDrained",
                table: "clusters",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.CreateTable(
                name: "job_search",
                columns: table => new
                {
                    Job = table.Column<long>(type: "INTEGER", nullable: false),
                    Status = table.Column<string>(type: "TEXT", nullable: false),
                    ReceivedAt = table.Column<long>(type: "INTEGER", nullable: false),
                    By = table.Column<string>(type: "TEXT", nullable: false),
                    ById = table.Column<string>(type: "TEXT", nullable: false),
                    Subjects = table.Column<string>(type: "TEXT", nullable: false),
                    Text = table.Column<string>(type: "TEXT", nullable: false),
                    EndedAt = table.Column<long>(type: "INTEGER", nullable: true),
                    ArchivedAt = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_job_search", x => x.Job);
                });

            migrationBuilder.CreateIndex(
                name: "IX_job_search_EndedAt",
                table: "job_search",
                column: "EndedAt");

            // Jobs of an older database are found as well.
            migrationBuilder.Sql("""
                INSERT INTO "job_search" ("Job", "Status", "ReceivedAt", "By", "ById", "Subjects", "Text", "EndedAt")
                SELECT "Id", "Status", "ReceivedAt", coalesce(json_extract("Caller", '$.name'), ''), coalesce(json_extract("Caller", '$.userId'), ''),
                    ' ' || coalesce((SELECT group_concat(value, ' ') FROM json_each("Subjects")), '') || ' ',
                    lower("Id" || ' ' || coalesce(json_extract("Request", '$.op'), '') || ' ' || coalesce((SELECT group_concat(value, ' ') FROM json_each("Subjects")), '') || ' '
                        || coalesce(json_extract("Caller", '$.name'), '') || ' ' || substr(coalesce(json_extract("Reason", '$[0].text'), ''), 1, 120) || ' '
                        || coalesce(json_extract("Error", '$.code'), '') || ' ' || substr(coalesce(json_extract("Error", '$.message'), ''), 1, 120)),
                    "EndedAt"
                FROM "jobs"
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "job_search");

            migrationBuilder.DropColumn(
                name: "ArchivedAt",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "CanceledBy",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "Depends",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "Priority",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "MaxOpenJobs",
                table: "clusters");

            migrationBuilder.DropColumn(
                name: "MaxRunningJobs",
                table: "clusters");

            migrationBuilder.DropColumn(
                name: "QueueDrained",
                table: "clusters");
        }
    }
}
