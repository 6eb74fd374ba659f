// Readers and writers for the API's records, made at build time: reflection would cost a tenth of a second at each start.
using System.Text.Json;
using System.Text.Json.Serialization;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Api;

/// <summary>application/problem+json as the portal writes it.</summary>
public sealed record Problem(string? Title, string? Detail, string? Code, string? Field, string? Remedy);

/// <summary>~/.config/webmanager/token.json.</summary>
public sealed record StoredLogin(string Url, string User, string Token);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(StoredLogin))]
[JsonSerializable(typeof(LoginRequest))]
[JsonSerializable(typeof(LoginReply))]
[JsonSerializable(typeof(ClusterView))]
[JsonSerializable(typeof(NodeView[]))]
[JsonSerializable(typeof(AddNodeRequest))]
[JsonSerializable(typeof(AddNodeReply))]
[JsonSerializable(typeof(InstanceView[]))]
[JsonSerializable(typeof(CreateInstanceRequest))]
[JsonSerializable(typeof(InstanceActionRequest))]
[JsonSerializable(typeof(JobAccepted))]
[JsonSerializable(typeof(JobView[]))]
[JsonSerializable(typeof(JobLogLineView[]))]
[JsonSerializable(typeof(EventView[]))]
[JsonSerializable(typeof(ImageView[]))]
[JsonSerializable(typeof(SerialView))]
[JsonSerializable(typeof(LabView))]
[JsonSerializable(typeof(ConfirmInstanceRequest))]
[JsonSerializable(typeof(ReplaceSecondaryRequest))]
[JsonSerializable(typeof(MigrateInstanceRequest))]
[JsonSerializable(typeof(MaintenanceRequest))]
[JsonSerializable(typeof(RestartAgentRequest))]
[JsonSerializable(typeof(MaintenancePlanView))]
[JsonSerializable(typeof(BackupManifest))]
[JsonSerializable(typeof(ModifyClusterRequest))]
[JsonSerializable(typeof(ReasonRequest))]
[JsonSerializable(typeof(ModifyNodeRequest))]
[JsonSerializable(typeof(PowerOffRequest))]
[JsonSerializable(typeof(ModifyInstanceRequest))]
[JsonSerializable(typeof(GroupView[]))]
[JsonSerializable(typeof(AddGroupRequest))]
[JsonSerializable(typeof(ModifyGroupRequest))]
[JsonSerializable(typeof(RenameGroupRequest))]
[JsonSerializable(typeof(AssignNodesRequest))]
[JsonSerializable(typeof(TagsRequest))]
[JsonSerializable(typeof(UserView[]))]
[JsonSerializable(typeof(AddUserRequest))]
[JsonSerializable(typeof(ModifyUserRequest))]
[JsonSerializable(typeof(UserLinkReply))]
[JsonSerializable(typeof(TokenView[]))]
[JsonSerializable(typeof(AddTokenRequest))]
[JsonSerializable(typeof(AddTokenReply))]
[JsonSerializable(typeof(string[]))]
public sealed partial class CliJson : JsonSerializerContext;
